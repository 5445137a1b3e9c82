// The schedules that people choose from; the configuration understands any other.

import { t } from "./text.js";

export const SCHEDULES = [
  ["hourly at :59:50", "schedule.hourly"],
  ["every 30 min", "schedule.half"],
  ["every 15 min", "schedule.quarter"],
  ["every 5 min", "schedule.five"],
  ["every 1 min", "schedule.minute"],
  ["daily at 23:55", "schedule.daily"],
] as const;

export const scheduleName = (schedule: string): string => {
  const known = SCHEDULES.find(([text]) => text === schedule);
  return known ? t(known[1]) : schedule;
};
