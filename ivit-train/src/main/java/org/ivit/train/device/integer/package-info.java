/** The operators of {@link org.ivit.train.operator.integer} as launches of kernels. */
package org.ivit.train.device.integer;
