// The start page: what runs, what failed, what the machine has free.
export { HomePage } from "./HomePage";
