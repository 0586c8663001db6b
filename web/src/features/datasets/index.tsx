// Managed datasets: where they are, what is in them, which runs used them.
export { DatasetPage } from "./DatasetPage";
export { DatasetsPage } from "./DatasetsPage";
