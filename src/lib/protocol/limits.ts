/**
 * Every bound of the system, named with its unit last. A bound that is not here does not exist;
 * a number that bounds something and is not here is a defect.
 */

// Files and scenes
export const SCENE_FILE_BYTES_MAX = 512 * 1024 * 1024;
/** What the entries of a zip that a scene uses may unpack to. */
export const SCENE_ARCHIVE_BYTES_MAX = 1024 * 1024 * 1024;
export const SCENE_ARCHIVE_ENTRIES_MAX = 20_000;
export const ENVIRONMENT_FILE_BYTES_MAX = 256 * 1024 * 1024;
/** Triangles that a compiled scene stores: of meshes in world space, and once of each that its instances share. */
export const SCENE_TRIANGLES_MAX = 8_000_000;
/** Triangles as placed, every instance counted; below 2^31 so that ids fit. */
export const SCENE_PLACED_TRIANGLES_MAX = 1_000_000_000;
/** Placements of meshes, those of EXT_mesh_gpu_instancing included. */
export const SCENE_INSTANCES_MAX = 1_000_000;
/** A mesh is kept once and traced in its own space when its repetitions would add more triangles than this. */
export const INSTANCE_REPEAT_TRIANGLES = 20_000;
export const SCENE_NODES_MAX = 200_000;
export const SCENE_NODE_DEPTH_MAX = 256;
export const SCENE_ACCESSORS_MAX = 200_000;
export const SCENE_MATERIALS_MAX = 32_768;
export const SCENE_ACCESSOR_BYTES_MAX = 1024 * 1024 * 1024;
/** Of texture coordinates, either side of 0; with any transform of a texture they stay finite in f32. */
export const TEXTURE_COORDINATE_MAX = 1e9;
/** Vertices times morph targets, over all nodes that place them; targets may name one accessor again and again. */
export const SCENE_MORPHED_VERTICES_MAX = 512 * 1024 * 1024;
/** JOINTS_n and WEIGHTS_n of one primitive: 64 joints per vertex. */
export const SKIN_SETS_MAX = 16;
export const SCENE_TEXELS_MAX = 256 * 1024 * 1024;
export const IMAGE_SIDE_PX_MAX = 8_192;
export const TEXEL_LAYERS_MAX = 256;
export const ENVIRONMENT_SIDE_PX_MAX = 32_768;
/** 16384 × 8192: the largest that are sold. */
export const ENVIRONMENT_TEXELS_MAX = 128 * 1024 * 1024;
export const BVH_DEPTH_MAX = 48;
export const VARIANT_NAME_CHARS_MAX = 200;
export const SCENE_LIGHTS_MAX = 2_000_000;
/** A face of an image-based light inside a scene file. */
export const IMAGE_LIGHT_SIDE_PX_MAX = 2_048;
/** A photometric file, and its angles along one axis after its symmetries are unfolded. */
export const PROFILE_FILE_BYTES_MAX = 4 * 1024 * 1024;
export const PROFILE_ANGLES_MAX = 2_048;
/** Values of all photometric profiles of a scene. */
export const SCENE_PROFILE_VALUES_MAX = 4 * 1024 * 1024;
/** Longest a dispatch may take on purpose: nothing can interrupt it. */
export const DISPATCH_MS_CAP = 100;
/** Trying variants of the kernel on a new adapter, once their pipelines are there. */
export const TUNE_MS_MAX = 300;
/** Compiled scenes one engine keeps. */
export const SCENES_HELD_MAX = 3;

// Pictures from elsewhere, to be denoised
export const PICTURE_FILE_BYTES_MAX = 1024 * 1024 * 1024;
export const PICTURE_SIDE_PX_MAX = 16_384;
export const PICTURE_PIXELS_MAX = 64 * 1024 * 1024;

// Jobs
export const JOB_SIDE_PX_MAX = 8_192;
/** Pictures of a sequence. */
export const SEQUENCE_FRAMES_MAX = 100_000;
/** The highest number of a frame. */
export const SEQUENCE_FRAME_MAX = 1_000_000;
/** Of one that is ordered in a page, which keeps them in its browser. */
export const SEQUENCE_FRAMES_PAGE_MAX = 1_000;
export const SEQUENCE_FPS_MIN = 0.1;
export const SEQUENCE_FPS_MAX = 240;
/**
 * Frames of a sequence whose jobs are open at once: workers find the next one while the last leases of one are checked. Fewer
 * than SCENES_HELD_MAX, or who goes from frame to frame would compile each again and again.
 */
export const SEQUENCE_JOBS_OPEN_MAX = 2;
export const JOB_SAMPLES_MAX = 16_384;
export const JOB_BOUNCES_MAX = 32;
export const JOB_LEASES_MAX = 200_000;
export const JOBS_OPEN_PER_CREATOR_MAX = 16;
export const TILE_SIDE_PX = 128;
export const TILE_SIDE_PX_MIN = 32;
export const TILE_SIDE_PX_MAX = 256;
export const LEAF_SIDE_PX = 8;
/** 64 × 1023 and 64 × 511 fit the 16-bit sums of a FilmPixel. */
export const PASS_SAMPLES_MAX = 64;

/** Keys that one order bars. */
export const ORDER_AVOIDS_MAX = 64;

// Market
/** Tiles that one request calls quiet. */
export const QUIET_TILES_MAX = 1_024;
/** Rounds of one tier are so far apart, and a round's price holds so long. */
export const MARKET_ROUND_MS = 20_000;
/** What a thousand segments may cost: a thousand times the plain scene's. */
export const COST_PER_MILLE_MAX = 1_000_000;

/** Views whose cost an engine's user remembers, and jobs of which a worker remembers whether they pay for theirs. */
export const METERED_VIEWS_MAX = 64;
export const METERED_JOBS_MAX = 256;

// Leases
export const LEASE_DEADLINE_MIN_MS = 30_000;
export const LEASE_DEADLINE_MAX_MS = 10 * 60_000;
export const LEASES_PER_WORKER_MAX = 2;
/** A worker is given so many leases of one scene in a row while jobs of other scenes wait. */
export const LEASES_PER_SCENE_RUN_MAX = 8;
/** A slot at the end of a job may have a second lease beside a slow one. */
export const LEASES_PER_SLOT_MAX = 2;
/** Idle workers that one round considers for such a lease, the fastest first. */
export const TAIL_WORKERS_PER_ROUND_MAX = 64;
export const LEASE_FAULTS_PER_WORKER_AND_JOB_MAX = 3;
export const LEASE_ATTEMPTS_MAX = 12;
export const FILMS_HELD_PER_WORKER_MAX = 256;

// Challenges
export const LEAVES_PER_CHALLENGE_MAX = 16;
/** All leaves of the largest tile: what a full audit draws. */
export const LEAVES_PER_TILE_MAX = (TILE_SIDE_PX_MAX / LEAF_SIDE_PX) ** 2;
export const CHECK_NONCES_PER_CHECKER_MAX = 64;
/** Of a leaf that a passing verdict shows (trust/retrace): its signatures, paths that differ from the film's, and audit paths. */
export const SHOWN_SIGNATURES_BYTES_MAX = LEAF_SIDE_PX ** 2 * PASS_SAMPLES_MAX * 2;
export const SHOWN_DIFFERING_BYTES_MAX = 2 * 1024;
export const SHOWN_PROOF_BYTES_MAX = 32 * Math.ceil(Math.log2(LEAVES_PER_TILE_MAX));
export const CHECK_DEADLINE_MS = 120_000;

/** Fewer keys that check, and drills would only tell the operator about itself. */
export const DRILL_CHECKERS_MIN = 3;
/** After the end of a lease that checks voided, its worker may appeal for so long. */
export const APPEAL_MS_MAX = 24 * 3_600_000;
/** An appeal that people have not decided by then is denied. */
export const APPEAL_OPEN_MS_MAX = 7 * 24 * 3_600_000;
/** Cases that the queue of doubt shows. */
export const REVIEW_CASES_MAX = 64;
/** Films of voided leases that a worker keeps for an appeal. */
export const FILMS_DISPUTED_MAX = 8;

// Control socket
export const CONTROL_MESSAGE_BYTES_MAX = 64 * 1024;
export const CONTROL_MESSAGES_PER_SECOND_MAX = 200;
export const CONTROL_BUFFERED_BYTES_MAX = 4 * 1024 * 1024;
export const CONTROL_CONNECTIONS_MAX = 20_000;
/** Keys whose network is remembered after they left: far more than can be connected. */
export const PREFIXES_KEPT_MAX = 200_000;
export const CONTROL_SILENCE_MS_MAX = 5_000;
export const CONTROL_HEARTBEAT_MS = 1_500;
export const RECONNECT_BACKOFF_MS_MIN = 250;
export const RECONNECT_BACKOFF_MS_MAX = 5_000;
export const REQUEST_TIMEOUT_MS = 20_000;
export const ENVELOPE_AGE_MS_MAX = 24 * 3_600_000;

// Signalling
export const SIGNAL_MESSAGE_BYTES_MAX = 32 * 1024;
export const SIGNAL_QUEUE_PER_PEER_MAX = 64;
export const SOCKET_PING_MS = 30_000;
export const SIGNAL_QUEUE_MS_MAX = 5_000;
export const SIGNAL_TOKEN_AGE_MS_MAX = 10 * 60_000;

// Peer channels and blobs
export const BLOB_CHUNK_BYTES = 1024 * 1024;
export const BLOB_BYTES_MAX = 1024 * 1024 * 1024;
export const PEER_FRAME_BYTES_MAX = 64 * 1024;
export const PEER_HEAD_BYTES_MAX = 256 * 1024;
export const PEER_BUFFERED_BYTES_MAX = 2 * 1024 * 1024;
export const PEER_BODY_BYTES_MAX = 64 * 1024 * 1024;
/** Half-arrived messages of all links of one peer together. */
export const PEER_ASSEMBLY_BYTES_MAX = 256 * 1024 * 1024;
/** A film of the largest tile: 48 bytes per pixel (FilmPixel), 32 bytes of hash per leaf. */
export const FILM_DELIVERY_BYTES_MAX = TILE_SIDE_PX_MAX ** 2 * 48 + (TILE_SIDE_PX_MAX / LEAF_SIDE_PX) ** 2 * 32;
export const PEER_REQUESTS_IN_FLIGHT_MAX = 16;
export const PEER_REQUEST_TIMEOUT_MS = 30_000;
/** However steadily it trickles, one message takes no longer. */
export const PEER_MESSAGE_TIMEOUT_MS = 5 * 60_000;
/**
 * How far a peer's clock may be off the coordinator's before capabilities look expired to it: as far as its words
 * are taken and a little more, or an honest worker whose clock is wrong by half a day would refuse its checkers, which is a fault.
 */
export const PEER_CLOCK_SKEW_MS_MAX = ENVELOPE_AGE_MS_MAX + 10 * 60_000;
export const BLOB_REQUESTS_PER_SOURCE_MAX = 4;
/** Films a worker keeps until they are settled, in memory. */
export const FILMS_HELD_BYTES_MAX = 512 * 1024 * 1024;
export const PEER_CONNECT_TIMEOUT_MS = 15_000;
export const PEERS_PER_CLIENT_MAX = 64;
export const BLOB_STORE_BYTES_MAX = 4 * 1024 * 1024 * 1024;

// Ledger and log
/** A verdict on all leaves of the largest tile that shows one of them (trust/retrace) takes 18 KiB. */
export const LOG_ENTRY_BYTES_MAX = 24 * 1024;
export const LOG_PAGE_ENTRIES_MAX = 1_000;
export const CHECKPOINT_INTERVAL_MS = 1_000;
export const LOG_TILE_HASHES = 256;
/** Full tiles a coordinator keeps in memory: 8 KiB each. */
export const LOG_TILES_CACHED_MAX = 1_024;
/** A checkpoint with all its cosignatures. */
export const NOTE_CHARS_MAX = 32 * 1024;
export const NOTE_SIGNATURES_MAX = 64;
/** Checkers that are shown one checkpoint at once; the others have their turn with the next. */
export const WITNESSES_PER_ROUND_MAX = 16;
/** A witness that was shown a checkpoint and says nothing this long is shown the newest. */
export const WITNESS_TIMEOUT_MS = 10_000;
/** Cosigned checkpoints are kept this long; receipts bring their own. */
export const CHECKPOINTS_KEPT_MS = 24 * 3_600_000;
/** Of a consistency or inclusion proof: as many as a tree of 2^63 leaves is high. */
export const PROOF_HASHES_MAX = 63;
export const BEACON_CHAIN_LENGTH = 65_536;

// Coordinator
/** A lease moves on when its worker was silent this long; a worker that is back sooner keeps it. */
export const LEASE_SILENCE_MS_MAX = 5_000;
/** A committed film is given up when its worker was away this long. */
export const FILM_SILENCE_MS_MAX = 20_000;
/** Extra time for a worker's first lease of a job: it fetches and compiles the scene. */
export const SCENE_ALLOWANCE_MS = 120_000;
/** Pause before a worker that gave a job's lease back is offered that job again. */
export const YIELD_PAUSE_MS = 2_000;
/** A film out of reach of so many checkers, or of the only one so many times, is void. No more: each try draws other leaves. */
export const CHECKS_UNAVAILABLE_MAX = 2;
/** A doubted lease waits this long, from the deadline of the check that failed it, for a second opinion. */
export const SECOND_OPINION_MS_MAX = 4 * 60_000;
export const CHECK_PAUSE_MS = 2_000;
/** A verified film about which its creator says nothing this long, there or not, is paid without a receipt. */
export const RECEIPT_WAIT_MS_MAX = 10 * 60_000;
/** A creator that waited this long for a committed film says so, and again after as long. */
export const FILM_WAIT_MS_MAX = 2 * 60_000;
/** So many times, and the lease is void without anyone's fault. */
export const FILM_MISSING_MAX = 2;
/** Workers from whom films of a creator's jobs were voided so, and one more for so many settled; beyond it the check alone decides. */
export const MISSING_WORKERS_MAX = 4;
/** Films of one of them. */
export const FILMS_MISSING_PER_WORKER_MAX = 32;
export const FILMS_PER_MISSING = 50;
/** Corrupt deliveries of one film that the worker is asked to mend. */
export const FILM_REDELIVERIES_MAX = 4;
/** A worker whose film never reached the creator is not offered that job again for so long. */
export const MISSING_PAUSE_MS = 10 * 60_000;
export const REAPER_INTERVAL_MS = 500;
export const VIEW_INTERVAL_MS = 250;
export const NETWORK_VIEW_INTERVAL_MS = 1_000;
export const WATCHES_PER_CONNECTION_MAX = 64;
export const CONTROL_QUEUE_MESSAGES_MAX = 256;
export const WRITES_PER_TRANSACTION_MAX = 256;

/** How often instances of one database tell each other who is there; changes are told at once. */
export const INSTANCE_TICK_MS = 500;
/** An instance that was silent this long is dead, and its peers with it. */
export const INSTANCE_SILENCE_MS_MAX = 3_000;

// Denoising
/** What the tensors of one tile may take; larger pictures are cut into tiles. */
export const DENOISE_TENSOR_BYTES_MAX = 512 * 1024 * 1024;
/** What the edge-avoiding filter takes at once, all buffers together: 1920 × 1080 in one strip. */
export const ATROUS_STRIP_BYTES_MAX = 256 * 1024 * 1024;
/** Pixels of the largest picture that is denoised: 8192 × 8192. */
export const DENOISE_PIXELS_MAX = 1 << 26;
/** What Winograd's planes of one band of rows may take beside the tensors. */
export const DENOISE_SCRATCH_BYTES = 96 * 1024 * 1024;
/** Sides of the largest tile; longer ones gain nothing. */
export const DENOISE_TILE_PX_MAX = 2048;
/** Time one dispatch of the denoiser should take. */
export const DENOISE_DISPATCH_MS = 12;
/** For trying the ways to convolve on an adapter, once per network. */
export const DENOISE_TUNE_MS_MAX = 400;
/** Multiplications of one dispatch, whatever was measured: 12 ms of a device that does eight tera of them a second. */
export const DENOISE_DISPATCH_WORK_MAX = 1e11;
