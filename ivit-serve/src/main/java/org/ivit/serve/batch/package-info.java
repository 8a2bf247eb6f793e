/** Pictures of many requests in one batch, and bounds on what waits. */
package org.ivit.serve.batch;
