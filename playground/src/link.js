// A link holds the open query and its variables, after the #, which browsers send to nobody. Headers are left out: they hold keys.

/** The query and the variables that a link brings; undefined when it brings none. */
export function readLink(hash) {
  const parameters = new URLSearchParams(hash.slice(1));
  const query = parameters.get('query');
  return query ? { query, variables: parameters.get('variables') ?? '' } : undefined;
}

/** The part of a link after the #. */
export function writeLink(query, variables) {
  const parameters = new URLSearchParams({ query });
  if (variables.trim()) parameters.set('variables', variables);
  return `#${parameters}`;
}
