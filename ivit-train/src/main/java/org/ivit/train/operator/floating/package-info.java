/** The operators of the float network; rows are computed in float64. */
package org.ivit.train.operator.floating;
