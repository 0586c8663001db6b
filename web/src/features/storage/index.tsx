// Buckets and objects: look, take, bring, delete.
export { BucketsPage } from "./BucketsPage";
export { ObjectsPage } from "./ObjectsPage";
