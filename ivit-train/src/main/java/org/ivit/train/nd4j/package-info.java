/** ND4J as the layers use it: its backend, and the memory of its arrays. */
package org.ivit.train.nd4j;
