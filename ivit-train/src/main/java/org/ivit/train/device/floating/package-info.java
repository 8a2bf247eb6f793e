/** The operators of {@link org.ivit.train.operator.floating} as launches of kernels. */
package org.ivit.train.device.floating;
