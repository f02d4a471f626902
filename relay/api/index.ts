/** The relay's OpenAI API: who may ask, in which turn, what is asked, and how the answer is sent. */
export { ApiError } from './errors.ts';
export { KeyFile, type KeyInfo, type NewKey } from './keys.ts';
export { type Api, type ApiOptions, type ApiStatus, apiRoutes } from './routes.ts';
