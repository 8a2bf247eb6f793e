/** Commands on features of pictures, and what {@code ivit evaluate} does with them. */
package org.ivit.export.cli.features;
