/** `pictor check`: a headless checker. The role is the one that a tab runs. */
import { CheckerRole } from '#lib/roles/checker.ts';
import type { Command } from '../command.ts';
import { onChangeOnly, runRole } from '../role-command.ts';

const HELP = `
Usage: pictor check --network URL [options]

Vouches for other people's work: re-traces leaves drawn at random and signs what it finds.

  --network URL   the coordinator
  --key FILE      the key that signs; made when it is not there;
                  default: .pictor/keys/checker.key
  --data FOLDER   blobs and unsent messages, default .pictor
  --share PERCENT of the device's time, default 100; it idles for the rest
  --driver NAME   hardware, lavapipe, swiftshader or the path of a Vulkan driver
                  manifest; default: the fastest that is installed

Example:
  pictor check --network http://127.0.0.1:8787
`;

export const checkCommand: Command = {
  name: 'check',
  summary: "re-trace parts of other people's work and vouch for it",
  help: HELP,
  run: (args) =>
    runRole({
      name: 'checker',
      args,
      create: (agent, say) => {
        const role = new CheckerRole(agent.context);
        const tell = onChangeOnly(say);
        role.onStatus(({ state, reason, passed, failed, unavailable }) => {
          tell(`${state}: ${reason} (${passed} passed, ${failed} failed, ${unavailable} unavailable)`);
        });
        // A check that is not finished goes to somebody else at once, so there is nothing to wait for.
        return { start: () => role.start(), finish: () => role.stop(), stop: () => role.stop() };
      },
    }),
};
