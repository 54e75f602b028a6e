// The part of Miniflare's types that tests use.

/** What the tests need of Miniflare, whose own types would be everyone's globals. */
export class Miniflare {
  constructor(options: {
    modules: { type: "ESModule"; path: string; contents: string }[];
    compatibilityDate: string;
    compatibilityFlags: string[];
    bindings?: Record<string, string>;
    kvPersist?: string;
    durableObjectsPersist?: string;
    kvNamespaces?: string[];
    durableObjects?: Record<string, { className: string; useSQLite: boolean }>;
    serviceBindings?: Record<string, () => Promise<Response>>;
    inspectorPort?: number;
  });
  readonly ready: Promise<URL>;
  getInspectorURL(): Promise<URL>;
  dispatchFetch(url: string, init?: RequestInit): Promise<Response>;
  getKVNamespace(binding: string): Promise<KVNamespace>;
  dispose(): Promise<void>;
}

/** The proxy of a namespace of Workers KV. */
export interface KVNamespace {
  get(name: string): Promise<string | null>;
  getWithMetadata(
    name: string,
    type: "arrayBuffer",
  ): Promise<{ value: ArrayBuffer | null; metadata: unknown }>;
  getWithMetadata(
    names: string[],
    type: "text",
  ): Promise<
    Map<string, { value: string | null; metadata: unknown } | null>
  >;
  put(
    name: string,
    value: string | Uint8Array,
    options?: { expirationTtl?: number; metadata?: unknown },
  ): Promise<void>;
  delete(name: string): Promise<void>;
  list(
    options: { prefix: string; cursor?: string; limit?: number },
  ): Promise<{
    keys: { name: string; expiration?: number }[];
    list_complete: boolean;
    cursor?: string;
  }>;
}
