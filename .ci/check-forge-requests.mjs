// Holds the requests that the tests sent to the stand-in of GitHub against GitHub's own description of its API.
//
// Usage: node .ci/check-forge-requests.mjs LOG
//
// LOG has a JSON line for each exchange: {"method", "path", "query", "body", "status"}. The description comes from the npm
// package @octokit/openapi and is fetched into a temporary folder, for a check and never for a build. Every request must
// be an operation that there is; its query may hold only known parameters; its body must fit the schema and hold only
// properties that the schema names; and a success must be one that the operation documents.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PACKAGES = ["@octokit/openapi@23.0.2", "ajv@8.17.1", "ajv-formats@3.0.1"];

const [log] = process.argv.slice(2);
if (log === undefined) {
  console.error("usage: node .ci/check-forge-requests.mjs LOG");
  process.exit(64);
}

const folder = mkdtempSync(join(tmpdir(), "reachform-openapi-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "check", private: true }));
try {
  const options = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
  execFileSync("npm", [...options, ...PACKAGES], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
} catch {
  console.log(`skipped: npm could not fetch ${PACKAGES.join(", ")}`);
  process.exit(0);
}

const require = createRequire(join(folder, "package.json"));
const api = JSON.parse(
  readFileSync(join(folder, "node_modules/@octokit/openapi/generated/api.github.com.json"), "utf8"),
);
const Ajv = require("ajv").default;
const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });
require("ajv-formats").default(ajv);
ajv.addSchema({ $id: "https://api.github.test/", components: api.components, paths: api.paths });

const pointer = (parts) => parts.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");

function resolve(value) {
  if (value?.$ref === undefined) return value;
  return resolve(value.$ref.slice(2).split("/").reduce((at, part) => at[part], api));
}

// Of the templates that fit, the one with the most words of its own: `/issues/comments/{id}` before `/issues/{n}/{x}`.
function template(path) {
  const parts = path.split("/");
  const fits = (candidate) => {
    const words = candidate.split("/");
    return words.length === parts.length && words.every((word, at) => word.startsWith("{") || word === parts[at]);
  };
  const literal = (candidate) => candidate.split("/").filter((word) => !word.startsWith("{")).length;
  return Object.keys(api.paths).filter(fits).sort((a, b) => literal(b) - literal(a))[0];
}

// The names of a body's properties at its top, over all branches of the schema.
function names(schema) {
  const whole = resolve(schema);
  const branches = ["oneOf", "anyOf", "allOf"].flatMap((word) => whole[word] ?? []);
  return new Set([...Object.keys(whole.properties ?? {}), ...branches.flatMap((branch) => [...names(branch)])]);
}

const validators = new Map();

function check({ method, path, query, body, status }) {
  const found = template(path);
  const word = method.toLowerCase();
  const operation = found && api.paths[found][word];
  if (!operation) return { faults: ["there is no such operation"] };
  const faults = [];
  const parameters = [...(api.paths[found].parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
  const known = new Map(parameters.filter((p) => p.in === "query").map((p) => [p.name, p]));
  const asked = new Map(Array.isArray(query) ? query : Object.entries(query ?? {}));
  for (const [name, value] of asked) {
    const parameter = known.get(name);
    if (!parameter) faults.push(`the query has no parameter \`${name}\``);
    const words = resolve(parameter?.schema)?.enum;
    if (words && !words.includes(value)) faults.push(`\`${name}\` may not be \`${value}\``);
  }
  for (const parameter of known.values()) {
    if (parameter.required && !asked.has(parameter.name)) faults.push(`the query lacks \`${parameter.name}\``);
  }
  const content = resolve(operation.requestBody)?.content?.["application/json"];
  if (body !== null && !content) faults.push("the operation takes no body");
  if (body === null && resolve(operation.requestBody)?.required) faults.push("the operation needs a body");
  if (body !== null && content) {
    const key = `${word} ${found}`;
    if (!validators.has(key)) {
      const place = pointer(["paths", found, word, "requestBody", "content", "application/json", "schema"]);
      validators.set(key, ajv.compile({ $ref: `https://api.github.test/#/${place}` }));
    }
    const validate = validators.get(key);
    if (!validate(body)) faults.push(...validate.errors.map((error) => `body${error.instancePath}: ${error.message}`));
    const allowed = names(content.schema);
    for (const name of Object.keys(body)) {
      if (!allowed.has(name)) faults.push(`the body's \`${name}\` is no property of the schema`);
    }
  }
  if (status >= 200 && status < 300 && !operation.responses[String(status)]) {
    faults.push(`the stand-in answers ${status}, which is none of ${Object.keys(operation.responses).join(", ")}`);
  }
  return { operation: `${method} ${found}`, faults };
}

const exchanges = readFileSync(log, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const seen = new Map();
const faults = new Set();
let skipped = 0;
for (const exchange of exchanges) {
  // GraphQL is described elsewhere.
  if (exchange.path === "/graphql") {
    skipped += 1;
    continue;
  }
  const result = check(exchange);
  if (result.operation) seen.set(result.operation, (seen.get(result.operation) ?? 0) + 1);
  for (const fault of result.faults) faults.add(`${exchange.method} ${exchange.path}: ${fault}`);
}
for (const [operation, count] of [...seen].sort()) console.log(`${String(count).padStart(6)}  ${operation}`);
console.log(`${exchanges.length - skipped} requests to ${seen.size} operations, ${skipped} of GraphQL not looked at`);
for (const fault of [...faults].sort()) console.error(`error: ${fault}`);
if (seen.size === 0) console.error("error: the log holds no request");
process.exit(faults.size === 0 && seen.size > 0 ? 0 : 1);
