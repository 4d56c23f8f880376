// node render.mjs messages.ndjson out.html: checks each envelope against the schema, then renders the page.
import Ajv from 'ajv/dist/2020.js';
import fs from 'node:fs';
import { CucumberHtmlStream } from '@cucumber/html-formatter';

const [, , from, to] = process.argv;
const root = new URL('./node_modules/@cucumber/', import.meta.url);
const validate = new Ajv({ strict: false }).compile(JSON.parse(fs.readFileSync(new URL('messages/messages.schema.json', root))));
const envelopes = fs.readFileSync(from, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
for (const e of envelopes) {
  if (!validate(e)) {
    console.error(JSON.stringify(e).slice(0, 400), JSON.stringify(validate.errors));
    process.exitCode = 1;
  }
}

const stream = new CucumberHtmlStream();
stream.pipe(fs.createWriteStream(to));
for (const e of envelopes) stream.write(e);
stream.end();
