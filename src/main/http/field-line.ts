/** Fields as data (RFC 9110 §5): lines of a request as they came, and fields of an answer in the order they go out. */

/** One request field line, name in lower case, value without surrounding white space (RFC 9110 §5). */
export interface FieldLine {
  readonly name: string;
  readonly value: string;
}

/** Ordered response fields. */
export type ResponseFields = readonly (readonly [name: string, value: string])[];
