/** Gradients that several machines compute together. */
package org.ivit.train.distributed;
