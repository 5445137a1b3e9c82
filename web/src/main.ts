import { follow } from "./theme.js";

import "./app.js";

follow();
