package javax.annotation;

/** In an app it comes from {@code jakarta.annotation:jakarta.annotation-api:1.3.5}. */
public @interface Generated {
  String[] value();

  String date() default "";

  String comments() default "";
}
