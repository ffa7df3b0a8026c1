/** The Grafana dashboard as data: every expression in it, with what Grafana puts in the place of its variables. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.ts';

export interface PanelQuery {
  readonly panel: string;
  readonly expression: string;
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { readonly query: string } }[];
  };
}

const dashboard: Dashboard = JSON.parse(
  readFileSync(join(projectRoot, 'deploy', 'grafana', 'dashboard.json'), 'utf8'),
) as Dashboard;

/** Grafana's variables: all jobs and servers are chosen, and a rate is taken over some seconds. */
function fillIn(expression: string): string {
  return expression.replaceAll(/\$(?:job|instance)\b/g, '.+').replaceAll(/\$__(?:rate_)?interval\b/g, '10s');
}

export const panelQueries: readonly PanelQuery[] = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ panel: title, expression: fillIn(expr) })),
);

export const annotationQueries: readonly PanelQuery[] = dashboard.annotations.list.map(({ name, expr }) => ({
  panel: name,
  expression: fillIn(expr),
}));

/** What `label_values(SELECTOR, label)` of the variables selects. */
export const variableSelectors: readonly string[] = dashboard.templating.list.flatMap(({ query }) => {
  const text = typeof query === 'string' ? query : query.query;
  const [, selector] = /^label_values\((.+), \w+\)$/.exec(text) ?? [];
  return selector === undefined ? [] : [fillIn(selector)];
});
