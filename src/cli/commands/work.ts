/** `pictor work`: a headless worker. The role is the one that a tab runs. */
import { WorkerRole } from '#lib/roles/worker.ts';
import type { WorkerStatus } from '#lib/roles/types.ts';
import type { Command } from '../command.ts';
import { si } from '../progress.ts';
import { onChangeOnly, runRole } from '../role-command.ts';

const HELP = `
Usage: pictor work --network URL [options]

Lends this machine's GPU to a network: takes leases, traces them, delivers the pixels, gets paid.
Without a GPU a software adapter is used, and said plainly.

  --network URL   the coordinator
  --key FILE      the key to be paid under; made when it is not there;
                  default: .pictor/keys/worker.key
  --data FOLDER   blobs and unsent messages, default .pictor
  --share PERCENT of the device's time, default 100; it idles for the rest
  --ask TOKENS    the least it takes for a work unit; default: the operator's price
  --watts NUMBER  what the machine draws more while it renders, and with
  --kwh TOKENS    what a kilowatt hour costs: asks for that and a quarter more, at
                  the speed it was measured at
  --driver NAME   hardware, lavapipe, swiftshader or the path of a Vulkan driver
                  manifest; default: the fastest that is installed

Interrupt (Ctrl-C) finishes the lease at hand; a second interrupt stops now and gives it back.

Example:
  pictor work --network http://127.0.0.1:8787
`;

export const workCommand: Command = {
  name: 'work',
  summary: "lend this machine's GPU to a network",
  help: HELP,
  run: (args) =>
    runRole({
      name: 'worker',
      args,
      create: (agent, say) => {
        const role = new WorkerRole(agent.context);
        const tell = onChangeOnly(say);
        role.onStatus((status) => tell(line(status)));
        return role;
      },
    }),
};

/** One line that changes when the state does, not with every percent. */
function line(status: WorkerStatus): string {
  const lease = status.lease ? ` "${status.lease.order.title}" tile ${status.lease.lease.tile} pass ${status.lease.lease.pass}` : '';
  const done = status.leasesSettled > 0 ? `, ${status.leasesSettled} leases paid` : '';
  const faults = status.leasesVoided > 0 ? `, ${status.leasesVoided} void (${status.voided[0]?.reason ?? ''})` : '';
  const speed = status.segmentsPerSecond > 0 ? `, ${si(status.segmentsPerSecond)} rays/s` : '';
  return `${status.state}: ${status.reason}${lease}${done}${faults}${speed}`;
}
