/** Integer graphs from float weights and scales, and the way back. */
package org.ivit.core.graph.build;
