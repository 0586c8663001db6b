// Names and values beside each other.
import { Fragment, type ReactNode } from "react";
import css from "./Facts.module.css";

export type Fact = readonly [name: string, value: ReactNode];

/** Facts without a value are left out. */
export function Facts({ facts }: { facts: readonly (Fact | false | undefined)[] }) {
  return (
    <dl className={css.facts}>
      {facts.map((fact) =>
        fact && fact[1] !== undefined && fact[1] !== "" && fact[1] !== null ? (
          <Fragment key={fact[0]}>
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </Fragment>
        ) : null,
      )}
    </dl>
  );
}
