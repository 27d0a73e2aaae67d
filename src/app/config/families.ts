export { hooksSchema } from "../../hooks/index.ts";
export { sourceSchema } from "../../sources/index.ts";
export { storageSchema } from "../../storages/index.ts";
