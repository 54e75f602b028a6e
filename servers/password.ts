/** Random passwords, which keep other local users out of the servers. */

/** Returns a new password that needs no escaping in URLs, commands and files. */
export function freshPassword(): string {
  return crypto.getRandomValues(new Uint8Array(24)).toHex();
}
