/** The paper's four operators on their own, on rows of any network. */
package org.ivit.train.operator.rows;
