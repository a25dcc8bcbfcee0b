// Values of variables and arguments on the quick way, which most go: what is given already has the form that it would be
// brought into. Whatever is not certain is left to graphql-js, its errors included.

import {
  type FieldNode,
  type GraphQLField,
  GraphQLID,
  type GraphQLSchema,
  GraphQLString,
  getArgumentValues,
  getNullableType,
  getVariableValues,
  isLeafType,
  Kind,
  type OperationDefinitionNode,
  typeFromAST,
  valueFromAST,
} from 'graphql';

type Values = Readonly<Record<string, unknown>>;

/** The arguments of all fields that take none. */
const NONE: Record<string, unknown> = Object.freeze({});

/** What gives the variables of `operation` their form; undefined where they have none. */
export function variablesOf(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
): (given: Values) => Values | undefined {
  const texts = variableDefinitions.flatMap(({ variable, type }) => {
    const named = getNullableType(typeFromAST(schema, type));
    return named === GraphQLString || named === GraphQLID ? variable.name.value : [];
  });
  const areTexts = texts.length === variableDefinitions.length;
  return (given) => {
    const coerced: Record<string, unknown> = {};
    let isQuick = areTexts;
    for (const name of texts) {
      const value = isQuick && Object.hasOwn(given, name) ? given[name] : undefined;
      if (typeof value === 'string') coerced[name] = value;
      else isQuick = false;
    }
    return isQuick ? coerced : getVariableValues(schema, variableDefinitions, given).coerced;
  };
}

/** What gives the arguments of a field that is written as `node`. */
export function argumentsOf(
  definition: GraphQLField<unknown, unknown>,
  node: FieldNode | undefined,
): (variables: Values) => Record<string, unknown> {
  if (!node || definition.args.length === 0) return () => NONE;
  const slowly = (variables: Values) => getArgumentValues(definition, node, variables);
  const sources: { readonly name: string; readonly variable: string | undefined; readonly value: unknown }[] = [];
  for (const { name, type, defaultValue } of definition.args) {
    const given = node.arguments?.find((argument) => argument.name.value === name)?.value;
    if (given?.kind === Kind.VARIABLE) sources.push({ name, variable: given.name.value, value: undefined });
    else if (given) {
      const value = isLeafType(getNullableType(type)) ? valueFromAST(given, type) : undefined;
      if (value === undefined || (typeof value === 'object' && value !== null)) return slowly;
      sources.push({ name, variable: undefined, value });
    } else if (typeof defaultValue === 'object' && defaultValue !== null) return slowly;
    else if (defaultValue !== undefined) sources.push({ name, variable: undefined, value: defaultValue });
  }
  return (variables) => {
    const values: Record<string, unknown> = {};
    for (const { name, variable, value } of sources) {
      if (variable === undefined) values[name] = value;
      else {
        const told = Object.hasOwn(variables, variable) ? variables[variable] : undefined;
        if (told === undefined || told === null) return slowly(variables);
        values[name] = told;
      }
    }
    return values;
  };
}
