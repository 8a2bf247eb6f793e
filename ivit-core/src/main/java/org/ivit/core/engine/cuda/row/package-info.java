/** Nodes of the forward pass that are no products: norms, pools, patches, leading tokens. */
package org.ivit.core.engine.cuda.row;
