/**
 * A time zone in which it is about noon, for tests of pages that tell days or hours apart: no midnight comes in the
 * middle of them, and they meet the same hours whenever they run.
 */
export function noonZone(): string {
  const east = 12 - new Date().getUTCHours();
  // In these names the west has the plus.
  return `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`;
}
