/** A request that the server did not fulfil. */
export class ServerError extends Error {
  /**
   * @param {string} message one line for people
   * @param {?number} retryAfter seconds after which it may be tried again, where the server said so
   */
  constructor(message, retryAfter = null) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** The server that this page came from. */
export class Server {
  #token = null;
  #askToken;

  /**
   * @param {function(string): Promise<?string>} askToken asks the user, saying why; null where there is no answer
   */
  constructor(askToken) {
    this.#askToken = askToken;
  }

  /** The models that are served. */
  models() {
    return this.#request('api/models', {});
  }

  /**
   * Classifies a picture.
   *
   * @param {Blob} picture a file in any format that the server reads
   * @param {string} model its name
   * @param {number} top how many classes
   * @param {AbortSignal} signal
   */
  classify(picture, model, top, signal) {
    const query = new URLSearchParams({ model, top });
    return this.#request(`classify?${query}`, {
      method: 'POST',
      headers: { 'Content-Type': picture.type || 'application/octet-stream' },
      body: picture,
      signal,
    });
  }

  async #request(path, options) {
    for (;;) {
      const token = this.#token;
      const headers = { Accept: 'application/json', ...options.headers };
      if (token !== null) headers.Authorization = `Bearer ${token}`;
      const response = await this.#fetch(path, { ...options, headers });
      if (response.status !== 401) return this.#answer(response);
      // Another request may have been given a token in the meantime.
      if (this.#token === token) {
        this.#token = await this.#askToken(token === null ? '' : 'The server did not take that token.');
      }
      if (this.#token === null) throw new ServerError('The server answers with a token only.');
    }
  }

  async #fetch(path, options) {
    try {
      return await fetch(path, options);
    } catch (failure) {
      if (failure.name === 'AbortError') throw failure;
      throw new ServerError('The server does not answer.');
    }
  }

  async #answer(response) {
    let body;
    try {
      body = await response.json();
    } catch (failure) {
      if (failure.name === 'AbortError') throw failure;
      throw new ServerError(`The server answered ${response.status} without a reason.`);
    }
    if (response.ok) return body;
    const seconds = parseInt(response.headers.get('Retry-After'), 10);
    throw new ServerError(body.error ?? `The server answered ${response.status}.`, Number.isNaN(seconds) ? null : seconds);
  }
}
