// Training runs: the list, one run, a new job.
import { lazy } from "react";

export { TrainingPage } from "./TrainingPage";

// Whoever looks at the list need not wait for the rest.
export const RunPage = lazy(() => import("./RunPage").then((one) => ({ default: one.RunPage })));
export const NewJobPage = lazy(() => import("./NewJobPage").then((one) => ({ default: one.NewJobPage })));
