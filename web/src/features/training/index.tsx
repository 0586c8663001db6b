// Training runs: the list, one run, a new job.
export { NewJobPage } from "./NewJobPage";
export { RunPage } from "./RunPage";
export { TrainingPage } from "./TrainingPage";
