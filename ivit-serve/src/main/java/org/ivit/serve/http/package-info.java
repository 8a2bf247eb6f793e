/** The HTTP server: routes, limits, metrics, access log, and an end that loses no request. */
package org.ivit.serve.http;
