// The live picture of a run: what was observed, where, as whom, how much.
export { PictureView } from "./PictureView";
