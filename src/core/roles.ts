export const roles = ["viewer", "operator", "admin"] as const;
export type Role = (typeof roles)[number];

/** True when `role` may do what `needed` may. */
export function hasRole(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}
