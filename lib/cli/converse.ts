/** The conversation of `cli` with a person: prompt, history, completion, colours. */

import readline from 'node:readline';
import { splitWords } from '../config/words';
import type { Client } from './cli';
import { describeTarget } from './connection';
import { highlightWhileTyping } from './highlight';
import { historyPath, readHistory, writeHistory } from './history';
import { plain } from './print';
import { painterFor } from './style';

const HELP = `Type a command of the server, such as: set greeting "hello world"
Tab completes a command's name, the arrow keys find earlier lines.
clear empties the screen, exit or Ctrl+D ends.
`;

/** Names of the server's commands, for completion; none when it does not tell. */
async function commandNames(client: Client): Promise<string[]> {
  try {
    const connection = await client.connection();
    return plain(await connection.call(['COMMAND', 'LIST']))
      .split('\n')
      .sort();
  } catch {
    return [];
  }
}

function promptOf(client: Client): string {
  const database = client.database === 0 ? '' : `[${client.database}]`;
  return `${describeTarget(client.request.target)}${database}> `;
}

/** Runs one line; a failure is told and does not end the conversation. */
async function runLine(client: Client, line: string): Promise<void> {
  const words = splitWords(line);
  const paint = painterFor(process.stdout);
  if (words === null) {
    process.stdout.write(`${paint('red', 'Expected a closing quote')}\n`);
  } else if (words[0] === 'help' && words.length === 1) {
    process.stdout.write(HELP);
  } else if (words[0] === 'clear') {
    process.stdout.write('\x1b[2J\x1b[H');
  } else if (words.length > 0) {
    await client.run(words).catch((error: unknown) => {
      process.stdout.write(`${paint('red', error instanceof Error ? error.message : String(error))}\n`);
    });
  }
}

/** One line from the person, or null at the end of the input. */
function ask(reader: readline.Interface, prompt: string): Promise<string | null> {
  return new Promise((resolve) => {
    const onClose = (): void => resolve(null);
    reader.once('close', onClose);
    reader.question(prompt, (line) => {
      reader.off('close', onClose);
      resolve(line);
    });
  });
}

/** Talks with the person until they leave. */
export async function converse(client: Client): Promise<void> {
  const file = historyPath();
  const names = await commandNames(client);
  const complete = (line: string): [string[], string] => {
    const upper = line !== '' && line === line.toUpperCase();
    const hits = names.filter((name) => name.startsWith(line.toLowerCase()));
    return [hits.map((name) => `${upper ? name.toUpperCase() : name} `), line];
  };
  let history = readHistory(file);
  const reader = readline.createInterface({
    input: process.stdin,
    output: process.stdout,
    completer: complete,
    history,
    historySize: 1000,
    removeHistoryDuplicates: true,
  });
  reader.on('SIGINT', () => {
    // Ctrl+C drops what was typed; with nothing typed it ends the conversation.
    if (reader.line === '') {
      reader.close();
    } else {
      reader.write(null, { ctrl: true, name: 'e' });
      reader.write(null, { ctrl: true, name: 'u' });
    }
  });
  reader.on('history', (lines) => {
    history = [...lines];
  });
  try {
    for (;;) {
      const prompt = promptOf(client);
      const stopPainting = highlightWhileTyping(reader, prompt, painterFor(process.stdout));
      const line = await ask(reader, prompt);
      stopPainting();
      if (line === null || /^\s*(exit|quit)\s*$/i.test(line)) {
        return;
      }
      await runLine(client, line);
    }
  } finally {
    reader.close();
    writeHistory(file, history);
  }
}
