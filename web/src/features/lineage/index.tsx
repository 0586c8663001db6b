// The graph of what was made of what.
export { LineagePage } from "./LineagePage";
