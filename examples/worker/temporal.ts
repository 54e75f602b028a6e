// Provides Temporal, which workerd lacks and Fedify needs.
import { Temporal } from "@js-temporal/polyfill";

// workerd has no `Temporal` yet. Fedify brings this one for its own use; as a
// global, it has the type that Fedify's declarations mean. If there is another
// one some day, dates have to be of the class that Fedify takes.
Object.assign(globalThis, { Temporal });
