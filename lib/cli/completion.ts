/** `completion`: scripts that teach bash, zsh and fish the commands and directives. */

import { directiveTable } from '../config/directives';
import { UsageError } from './exit';

const COMMANDS: readonly (readonly [name: string, summary: string])[] = [
  ['start', 'Run a server'],
  ['stop', 'Stop a server gracefully'],
  ['status', 'Show whether a server runs, and how it is'],
  ['config', 'Print the effective configuration'],
  ['cli', 'Talk to a server'],
  ['completion', 'Print a completion script'],
];

const names = (): string => COMMANDS.map(([name]) => name).join(' ');

const flags = (): string[] =>
  directiveTable()
    .all()
    .filter(({ fixed }) => !fixed)
    .map(({ name }) => name);

function bash(): string {
  return `_redis_lite_native() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=( $(compgen -W "${names()}" -- "$word") )
  elif [ "\${COMP_WORDS[1]}" = start ] || [ "\${COMP_WORDS[1]}" = config ]; then
    COMPREPLY=( $(compgen -W "${flags()
      .map((name) => `--${name}`)
      .join(' ')}" -- "$word") $(compgen -f -- "$word") )
  elif [ "\${COMP_WORDS[1]}" = completion ]; then
    COMPREPLY=( $(compgen -W "bash zsh fish" -- "$word") )
  else
    COMPREPLY=( $(compgen -W "--host --port --socket --user --password --json --help" -- "$word") )
  fi
}
complete -F _redis_lite_native redis-lite-native
`;
}

function zsh(): string {
  return `#compdef redis-lite-native
autoload -U +X bashcompinit && bashcompinit
${bash()}`;
}

function fish(): string {
  const commands = COMMANDS.map(
    ([name, summary]) => `complete -c redis-lite-native -n __fish_use_subcommand -f -a ${name} -d '${summary}'\n`,
  );
  const directives = flags().map(
    (name) => `complete -c redis-lite-native -n '__fish_seen_subcommand_from start config' -l ${name} -r\n`,
  );
  return [...commands, ...directives].join('');
}

/** The script for `shell`. */
export function completion(shell: string): string {
  switch (shell) {
    case 'bash':
      return bash();
    case 'zsh':
      return zsh();
    case 'fish':
      return fish();
    default:
      throw new UsageError(`Expected the shell to be bash, zsh or fish, got ${JSON.stringify(shell)}`);
  }
}
