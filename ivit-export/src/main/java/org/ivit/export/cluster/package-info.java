/**
 * Work that several machines share: what a cluster has to offer, and what a worker on it does. The
 * clusters themselves are other modules, found at run time.
 */
package org.ivit.export.cluster;
