package org.ivit.serve.http;

/**
 * The body of a request.
 *
 * @param bytes the body, from their beginning on
 * @param length of the body; the array may be longer
 */
record Body(byte[] bytes, int length) {}
