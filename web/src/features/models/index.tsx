// The registry: models, their versions, aliases and files.
export { ModelPage } from "./ModelPage";
export { ModelsPage } from "./ModelsPage";
