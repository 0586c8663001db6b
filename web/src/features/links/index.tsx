// Ways to get somewhere: the command palette, and links of Google's console.
export { GoPage } from "./GoPage";
export { Palette } from "./Palette";
