import { Screen } from "./app.ts";

new Screen();
