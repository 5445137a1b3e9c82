"""Names and figures of the integration."""

import logging
from typing import Final

DOMAIN: Final = "kamstrup_403"
LOGGER: Final = logging.getLogger(__package__)

# golles/ha-kamstrup_403 has `port`, `scan_interval` and `timeout` too; adopted entries keep them.
CONF_ALIGN_TO_HOUR: Final = "align_to_hour"
CONF_GAS_FACTOR: Final = "gas_factor"

DEFAULT_SCAN_INTERVAL: Final = 3600
DEFAULT_TIMEOUT: Final = 2.0

# Polling more often than this drains the battery of a meter that has one.
BATTERY_FRIENDLY_INTERVAL: Final = 900

# Cubic metres of natural gas for one GJ of heat: 35.17 MJ in each, burnt at 90 %.
DEFAULT_GAS_FACTOR: Final = 31.6

HEAT_ENERGY: Final = 60
SERIAL_NUMBER: Final = 1001

MANUFACTURER: Final = "Kamstrup"
# What golles/ha-kamstrup_403 calls every device; its unique ids contain it.
SEED_NAME: Final = "Kamstrup 403"
