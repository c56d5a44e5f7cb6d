/** Hands the request to the coordinator of this process; see lib/server/http. */
import { forward } from '#lib/server/instance.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ request }) => forward(request);
export const prerender = false;
