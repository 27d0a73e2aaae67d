export { sourceSchema } from "../../sources/index.ts";
export { storageSchema } from "../../storages/index.ts";
export { hooksSchema } from "../../hooks/index.ts";
