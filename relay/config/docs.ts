import { defaultOf, keysByGroup } from './help.ts';
import { groupOf, KEYS, type KeyPath } from './keys.ts';
import { flagOf, variableOf } from './names.ts';

const HEAD = `# Configuration of a relay

Written by \`npx tsx relay/config/write-docs.ts\` from the table in \`relay/config/keys.ts\`; a test keeps it true.

\`shoal-relay init\` writes a commented \`shoal.yaml\`, and \`shoal-relay doctor\` says whether it can work. Nothing has to be set.

## Where values come from

Flags win over environment variables, these over the file, and the file over the defaults. A list of a stronger source takes the place of a weaker one's; lists are not added up.

- **File**: \`--config FILE\` or \`SHOAL_CONFIG\`, else the first of \`shoal.yaml\`, \`shoal.yml\` and \`shoal.json\` in the data folder, else in the working folder. YAML or JSON, at most 256 KB, without aliases. \`network.tcpPort\` is the key \`tcpPort\` under \`network\`. Relative paths start from the file's folder.
- **Variables**: \`network.tcpPort\` is \`SHOAL_NETWORK_TCP_PORT\`. Lists have commas between their items; \`SHOAL_MODEL\` is one model, \`SHOAL_MODELS\` several. An empty variable counts as unset.
- **Flags**: \`network.tcpPort\` is \`--network-tcp-port 4001\`. Flags of lists may be repeated; except for models, commas work as well. \`--api-enabled\` and \`--no-api-enabled\` need no value. Relative paths start from the working folder.

Sizes have a unit (\`512MB\`, \`2GB\`, \`1GiB\`; a GB has 10⁹ bytes, a GiB 2³⁰), times are seconds. A key that is unknown or holds something else than it takes is refused at the start, and all such mistakes are told at once, each with the place where it stands.

\`\`\`yaml
# shoal.yaml
url: https://shoal.example.org
port: 8443
tls:
  cert: /etc/letsencrypt/live/shoal.example.org/fullchain.pem
  key: /etc/letsencrypt/live/shoal.example.org/privkey.pem
network:
  webrtcPort: 8443
hosting:
  layers: auto
  memory: 8GB
\`\`\`

## Keys
`;

const TOGETHER = `## What belongs together

- \`tls.cert\` and \`tls.key\` come together, and not with \`tls.auto\`.
- A share for one client, peer or address cannot be larger than the whole: \`network.peersPerAddress\` and \`network.joinsPerSecond\` of \`network.peers\`, \`api.answersPerClient\` of \`api.answers\`, \`api.waitingPerClient\` of \`api.waiting\`, \`limits.connectionsPerAddress\` of \`limits.connections\`. A default that would be too large is lowered by itself.
- \`network.tcpPort\` is another port than \`port\`; \`network.webrtcPort\` may have the same number, because it is UDP.
- \`auto\` among \`hosting.devices\` stands alone.
`;

/** The page docs/configuration.md. */
export function configurationPage(): string {
  const groups = keysByGroup().map(([title, paths]) => {
    const group = groupOf(paths[0]!);
    const heading = group === 'general' ? title : `${title} (\`${group}\`)`;
    return `### ${heading}\n\n| key | default | takes | |\n|---|---|---|---|\n${paths.map(row).join('\n')}\n`;
  });
  const aliases = keysByGroup()
    .flatMap(([, paths]) => paths)
    .filter((path) => KEYS[path].alias !== undefined)
    .map(
      (path) => `| \`${path}\` | \`${flagOf(KEYS[path].alias!)}\` | \`${variableOf(KEYS[path].alias!)}\` |`,
    );
  return [
    HEAD,
    ...groups,
    `## Short names\n\n| key | flag | variable |\n|---|---|---|\n${aliases.join('\n')}\n`,
    TOGETHER,
  ].join('\n');
}

function row(path: KeyPath): string {
  const cells = [`\`${path}\``, `\`${defaultOf(path)}\``, KEYS[path].kind.takes, KEYS[path].help];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
