/** Shown while typing; the server has the last word (`password_too_short` names its minimum). */
export const MINIMUM_LENGTH = 12;

export interface PasswordEntry {
  current: string;
  next: string;
  confirm: string;
}

export interface RuleState {
  length: boolean;
  different: boolean;
  confirmed: boolean;
}

export function checkPassword({ current, next, confirm }: PasswordEntry): RuleState {
  return {
    length: next.length >= MINIMUM_LENGTH,
    different: next !== "" && next !== current,
    confirmed: next !== "" && next === confirm,
  };
}
