package org.ivit.serve.http;

import java.time.Duration;

/**
 * Limits of a server, and where it listens.
 *
 * @param host name or address of this machine
 * @param port 0 for any that is free
 * @param threads that decode pictures
 * @param batch the most pictures that a model runs at once
 * @param mostWaiting how long a picture waits for others while its model has nothing to do
 * @param queue the most pictures that are on their way at once
 * @param requestBytes the largest body
 * @param pendingBytes the most bytes of bodies that are on their way at once
 * @param pixels width times height of the largest picture
 * @param timeout from the headers of a request to its answer
 * @param token that clients must bear; null for none
 */
public record ServerOptions(
    String host,
    int port,
    int threads,
    int batch,
    Duration mostWaiting,
    int queue,
    int requestBytes,
    long pendingBytes,
    long pixels,
    Duration timeout,
    BearerToken token) {}
