/** Requests to the server's REST interface; see /api/openapi.json. */

import { text } from './texts.js';

/** What the server refused, in a sentence for people. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail || text('requestFailed', { status }));
    this.status = status;
  }
}

/** Return the JSON answer to a request; a body that is not a file is sent as JSON. */
export async function request(method, path, body) {
  const isFile = body instanceof Blob;
  const headers = body !== undefined && !isFile ? { 'Content-Type': 'application/json' } : {};
  const answer = await send(path, { method, headers, body: body === undefined || isFile ? body : JSON.stringify(body) });
  return answer.status === 204 ? null : answer.json();
}

/** Return the answer to a GET as a picture. */
export async function picture(path, signal) {
  const answer = await send(path, { signal });
  return createImageBitmap(await answer.blob());
}

/** Upload a file and report its progress, 0 to 1; return the JSON answer. */
export function upload(path, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not report the progress of uploads
    request.open('POST', path);
    request.responseType = 'json';
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener('load', () => {
      if (request.status < 300) resolve(request.response);
      else reject(new Problem(request.status, request.response?.detail));
    });
    request.addEventListener('error', () => reject(new Problem(0, text('serverGone'))));
    request.send(file);
  });
}

async function send(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, text('serverGone'));
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Problem(answer.status, problem.detail);
}
