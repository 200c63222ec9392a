// The headers in which tus 1.0 says everything at /api/uploads, as the description tells them; @tus/server reads them.
import * as v from 'valibot';

const Version = v.literal('1.0.0');
const Count = v.pipe(v.string(), v.regex(/^\d+$/));
const When = v.string();

export const tusAsks = {
	create: v.object({
		'Tus-Resumable': Version,
		'Upload-Length': Count,
		'Upload-Metadata': v.optional(
			v.pipe(
				v.string(),
				v.description('filename, path, sha256 and project, each with its value in base64, by commas')
			)
		)
	}),
	send: v.object({ 'Tus-Resumable': Version, 'Upload-Offset': Count }),
	plain: v.object({ 'Tus-Resumable': Version })
};

/** Of the whole upload, once every byte has arrived. */
const fileId = { 'Asura-File-Id': v.optional(v.pipe(v.string(), v.uuid())) };
export const tusSays = {
	created: v.object({ Location: v.string(), 'Upload-Expires': v.optional(When), ...fileId }),
	sent: v.object({ 'Upload-Offset': Count, 'Upload-Expires': v.optional(When), ...fileId }),
	whereabouts: v.object({ 'Upload-Offset': Count, 'Upload-Length': Count, ...fileId }),
	options: v.object({ 'Tus-Version': v.string(), 'Tus-Extension': v.string(), 'Tus-Max-Size': Count })
};
/** An answer to HEAD has no body: the code of what refuses the upload itself stands here. */
export const tusRefuses = v.object({ 'Asura-Error': v.optional(v.string()) });
